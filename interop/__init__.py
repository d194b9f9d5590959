"""Runs the SignalR clients of many languages against emulator and app: `make interop`."""
