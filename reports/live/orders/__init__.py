"""Orders in a running deployment: from UBSCore to the engine, back, and to what users are shown."""
