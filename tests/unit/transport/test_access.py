"""The table of calls is complete, closed and says nothing it should not."""

from contextlib import ExitStack

import grpc
import pytest
from grpc_health.v1 import health_pb2

from cleanroom.errors import AuthenticationError, PeerError, StateError, UsageError
from cleanroom.rpc.v1 import room_pb2
from cleanroom.transport.access import RULES
from cleanroom.transport.options import channel_options, server_options
from cleanroom.transport.quotas import ORDINARY_CALLS, Quotas, workers
from cleanroom.transport.reasons import CallRefused, Reason
from cleanroom.transport.status import PUBLIC_SENTENCES, STATUS, reason_of


def test_every_call_of_the_protocol_has_a_rule_and_no_rule_is_without_a_call() -> None:
    methods = {
        f"/{service.full_name}/{method.name}": method.input_type.full_name
        for service in room_pb2.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    methods["/grpc.health.v1.Health/Check"] = health_pb2.HealthCheckRequest.DESCRIPTOR.full_name
    assert {name: rule.request.DESCRIPTOR.full_name for name, rule in RULES.items()} == methods


def test_an_auditor_reads_and_cosigns_the_log_and_has_no_other_call_of_the_room() -> None:
    own = {name: rule for name, rule in RULES.items() if name.startswith("/cleanroom.v1.")}
    assert all("party" in rule.roles and rule.names_caller for rule in own.values())
    assert {name.rpartition("/")[2] for name, rule in own.items() if "auditor" in rule.roles} == {
        "Read",
        "PollCheckpoint",
        "SubmitCosignature",
    }


def test_every_long_poll_has_a_lane_of_its_own() -> None:
    lanes = {name.rpartition("/")[2]: rule.lane for name, rule in RULES.items() if rule.lane != "ordinary"}
    assert lanes == {"Poll": "poll", "PollCheckpoint": "checkpoint"}


def test_a_caller_at_its_cap_in_one_lane_has_all_its_places_in_the_others() -> None:
    quotas = Quotas()
    with ExitStack() as held:
        for _ in range(ORDINARY_CALLS):
            held.enter_context(quotas.place("ordinary", "party/shop"))
        with pytest.raises(CallRefused) as caught, quotas.place("ordinary", "party/shop"):
            pass
        assert caught.value.reason is Reason.BUSY
        for lane in ("poll", "checkpoint"):
            with quotas.place(lane, "party/shop"):
                pass
        with quotas.place("ordinary", "party/brand"), quotas.place("ordinary", "auditor/shop"):
            pass
    with quotas.place("ordinary", "party/shop"):
        pass


def test_there_is_a_thread_for_every_call_that_all_members_may_have_waiting_or_running() -> None:
    each_party, each_auditor = ORDINARY_CALLS + 2, ORDINARY_CALLS + 1
    assert workers(3) == 3 * each_party + 16
    assert workers(32, 8) == 32 * each_party + 8 * each_auditor + 16


def test_every_reason_has_a_status_and_a_sentence_of_its_own() -> None:
    assert set(STATUS) == set(Reason)
    assert len(PUBLIC_SENTENCES) == len(Reason)
    assert all(code is not grpc.StatusCode.OK for code, _ in STATUS.values())


def test_an_exception_becomes_a_row_of_the_table_and_never_its_text() -> None:
    assert reason_of(CallRefused(Reason.CONFLICT, "x")) is Reason.CONFLICT
    assert reason_of(AuthenticationError("x")) is Reason.NOT_ALLOWED
    assert reason_of(PeerError("x")) is Reason.MALFORMED
    assert reason_of(UsageError("x")) is Reason.MALFORMED
    assert reason_of(StateError("x")) is Reason.INTERNAL
    assert reason_of(ZeroDivisionError("x")) is Reason.INTERNAL


def test_the_settings_are_those_that_were_measured() -> None:
    server, channel = dict(server_options()), dict(channel_options("room.test"))
    assert server["grpc.max_receive_message_length"] == channel["grpc.max_receive_message_length"] == 4 << 20
    assert server["grpc.compression_enabled_algorithms_bitset"] == 1
    assert server["grpc.max_concurrent_streams"] == 64
    assert server["grpc.http2.min_ping_interval_without_data_ms"] == 60_000
    assert server["grpc.so_reuseport"] == 0
    assert channel["grpc.keepalive_time_ms"] == 120_000
    assert channel["grpc.ssl_target_name_override"] == "coordinator.room.test"
