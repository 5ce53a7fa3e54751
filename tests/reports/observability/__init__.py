"""What operators look at: made anew, it is what is committed; what it asks for exists."""
