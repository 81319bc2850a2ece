"""What goes between the processes of a desk."""
