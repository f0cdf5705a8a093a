"""Do a command for many pairs: plan the jobs, do each in a process of its own, and collect what they tell."""
