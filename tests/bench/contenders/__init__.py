"""The contenders. Each module makes the same machine in its library's own way and says so in `CONTENDERS`."""
