//! The pinned threads that own the legs.
