-- When an agent was taken out of use. It keeps its name and its sessions.
ALTER TABLE agents ADD COLUMN archived_at bigint;
