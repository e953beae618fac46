//! System calls: how datagrams enter and leave.
