"""Pure decisions: drift, route, plan, verdict, way back."""
