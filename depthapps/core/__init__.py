"""What everything stands on: the errors, the values that rooms hand to each other, and plain maths on them."""
