"""Back ends: real servers that speak Kafka's protocol and CQL, behind one interface."""
