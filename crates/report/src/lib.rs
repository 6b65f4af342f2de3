//! Tables, figures, pages. (Page to be completed.)
