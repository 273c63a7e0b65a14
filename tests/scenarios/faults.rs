//! What breaks: each program killed in the middle, a sensor revoked, disks that are full.
