"""What both drivers give back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Replica:
    # What the driver calls it.
    id: str
    release: str
    # Where it is asked, as host:port; empty if it is nowhere yet.
    address: str
    metrics: str = ""
    # Nobody is sent to it.
    is_rehearsal: bool = False

    def __str__(self):
        return f"{'rehearsal' if self.is_rehearsal else f'replica {self.id}'} of {self.release}"
