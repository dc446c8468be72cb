"""A merge as one page of HTML that plays anywhere, without this project and without a network."""
