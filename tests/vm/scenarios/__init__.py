"""What must hold on the real machine. Each function is a scenario; its name, read as a sentence, says what it shows.

The ports and their domains are in config.h. A scenario starts with nothing plugged in, and vm1 and vm2 running.
"""

# In the order in which they run: what is basic and quick comes first.
# The README's scenario leaves a machine with compilers behind.
FILES = ["plugs", "rows", "domains", "turns", "taken", "syncs", "tables", "disks", "libvirtd", "service", "saved", "busy",
         "crowds", "guests", "installing", "readme"]
