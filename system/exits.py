"""The exit codes of every program; supervisors and operators act on them."""

OK = 0
FAULT = 1  # a defect of the program itself: the log line carries the traceback
CONFIGURATION = 2  # a key or value is wrong: restarting cannot help
UNREACHABLE = 69  # Kafka or the database does not answer: restart later
HALT = 70  # going on would be wrong: a person must look; the reason is in the log
LOG_IO = 74  # the log could not be written or synced: look at the disk, then restart
LOCKED = 75  # another process holds the data directory
