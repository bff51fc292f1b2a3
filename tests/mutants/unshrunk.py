"""A pytest plugin: the first counterexample will do, and the smallest takes long to find."""

from hypothesis import Phase, settings

settings.register_profile("unshrunk", phases=(Phase.explicit, Phase.generate), database=None)
settings.load_profile("unshrunk")
