"""What faults do at the edge: to requests and their answers, to frames, to sockets; and plans of faults in files."""
