//! `/admin/api/*`: no code is here. Each area is a crate of its own below `areas/`, and all of them are tested here with one
//! binary. Without this file the package would be nothing where tests are left out, as in the image's build.
