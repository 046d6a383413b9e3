"""Where parts are put together: settings become stores, journeys, models and services."""
