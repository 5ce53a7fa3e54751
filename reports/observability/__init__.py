"""What operators look at: metrics, a dashboard, alert rules; made from what programs tell."""
