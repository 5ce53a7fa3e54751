"""Proxies: what stands on a link between a client and a server while a plan has a fault for it.

Each program has proxies of its own, one per server, so a link is known by both its ends. They
read whole messages, and a message is what is lost, held or delayed. Kafka's metadata and CQL's
system tables are rewritten, so that a program finds its other servers behind its proxies too.
"""
