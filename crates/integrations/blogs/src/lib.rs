//! Where finished articles go: the folder destination.
