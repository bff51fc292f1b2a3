"""The fields that each kind of message has in its header, and no other: nothing travels beside what was agreed."""

_PROVED = frozenset({"proof", "statement"})
_EMPTY: frozenset[str] = frozenset()
HEADERS: dict[str, tuple[frozenset[str], ...]] = {
    "match.hello": (frozenset({"hello", "opened", "proof"}), frozenset({"hello"})),
    "match.points": (frozenset({"confirmation"}), frozenset({"confirmation", "debit", "proof"})),
    "match.dummies": (_EMPTY,),
    "match.abort": (_EMPTY, frozenset({"refusal"})),
    "setup.open": (frozenset({"by", "leaves", "match"}),),
    "setup.base": (frozenset({"half"}),),
    "setup.matrix": (frozenset({"reply"}),),
    "setup.challenge": (frozenset({"challenge"}),),
    "setup.answer": (_EMPTY,),
    "setup.corrections": (_EMPTY,),
    "setup.abort": (_EMPTY, frozenset({"refusal"})),
    "question.plan": (_PROVED, _PROVED | {"receipt"}),
    "question.pending": (frozenset({"reasons"}),),
    "question.rows": (frozenset({"question"}),),
    "question.release": (_EMPTY,),
    "question.released": (_PROVED | {"ledger", "salt"},),
    "question.refused": (_PROVED,),
    "question.voided": (_EMPTY,),
    "room.stopped": (frozenset({"statement"}),),
    "log.head": (_EMPTY,),
}
