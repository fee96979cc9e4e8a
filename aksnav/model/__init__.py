"""What a network is made of: slim typed objects, decoded straight from wire bytes. This room knows nobody."""
