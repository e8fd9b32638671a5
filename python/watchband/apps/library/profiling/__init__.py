"""``wb.profile``: what data are like before anybody judges them, as a page, a document and in the terminal."""
