"""Tests; the folders mirror the package. Every folder with tests is a package, so that file names may repeat."""
