pub mod offer;
