"""How long a host waits until it sends again."""

from spikelet.host.resend_timer import ResendTimer

STEP_S = 0.01


def resends(timer: ResendTimer, silence_s: float) -> int:
    """Let silence pass, then an answer come; return how often something was sent again."""
    count = 0
    for _ in range(round(silence_s / STEP_S)):
        count += timer.waited(STEP_S)
    timer.heard()
    return count


def test_a_line_that_answers_slowly_is_learned() -> None:
    timer = ResendTimer(0.05, 5)
    counts = []
    for _ in range(20):
        counts.append(resends(timer, 0.4))
        counts += [resends(timer, 0) for _ in range(counts[-1])]  # what was sent again is answered
    assert counts[0] == 3  # after 0.05, 0.15 and 0.35 s
    assert not any(counts[-10:])


def test_losses_do_not_make_it_slow() -> None:
    timer = ResendTimer(0.05, 5)
    for number in range(300):
        lost = number % 5 == 0
        resends(timer, timer.wait_s if lost else 0)
        assert timer.wait_s < 0.15
    for _ in range(10):
        timer.heard()
    assert timer.wait_s == 0.05


def test_what_was_slow_once_is_forgotten() -> None:
    timer = ResendTimer(0.05, 5)
    for _ in range(5):
        resends(timer, 0.4)
    assert timer.wait_s >= 0.4
    for _ in range(100):
        timer.heard()
    assert timer.wait_s == 0.05


def test_it_does_not_wait_for_longer_than_its_bound() -> None:
    timer = ResendTimer(0.05, 1)
    assert resends(timer, 10) >= 10
    assert timer.wait_s == 1
