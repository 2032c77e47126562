"""The library beside its peers. Each module measures one thing, both sides in one run, and yields rows."""
