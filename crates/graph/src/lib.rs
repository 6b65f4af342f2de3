//! A network as a value. (Page to be completed.)
