"""What MailOps itself finds wrong with an order, without asking anybody."""
