"""Pages of the documentation that are made from the things they document, when the site is built."""
