"""What can be chosen about an emulator, and the command's options and the file that choose it."""
