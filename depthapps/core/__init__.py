"""Define what all other packages share: errors, data types such as Camera and Scene, and the maths on them."""
