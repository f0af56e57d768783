"""Face recognition services elsewhere, as judges; nothing is sent but what was allowed."""
