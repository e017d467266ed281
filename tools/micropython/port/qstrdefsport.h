// *FORMAT-OFF*
// Entries of sys.path.
Q(/)
Q(/lib)
