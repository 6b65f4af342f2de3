//! Heads and backbones finetuned under the paper's objectives, and under ones that work.

mod outside;
