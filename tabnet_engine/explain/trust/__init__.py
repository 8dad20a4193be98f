"""How far to trust an explanation: agreement, faithfulness, randomisation, stability, one certificate."""
