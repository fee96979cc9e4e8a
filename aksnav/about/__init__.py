"""WHAT cluster this is, fact by fact with the field it comes from, and what the words of its network mean."""
