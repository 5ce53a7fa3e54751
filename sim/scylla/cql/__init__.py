"""CQL as the nodes understand it: text to statements, statements to plans."""
