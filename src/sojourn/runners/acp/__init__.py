"""Any program that speaks the Agent Client Protocol is the agent of a session: started, watched, and written down."""
