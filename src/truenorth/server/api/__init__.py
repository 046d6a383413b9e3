"""What the service answers: journeys, cases, promises, signals, and the rights of people. One file a subject."""
