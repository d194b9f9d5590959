"""Finds the function of a request by route templates, as ASP.NET Core does."""
