"""Callbacks, against the real program fed by its own venue server, and against servers that behave badly."""

import json
import socket
import threading

import pytest

import barograph

def test_a_callback_gets_the_alerts_it_asked_for(program):
    told, stop, enough = [], threading.Event(), threading.Event()

    def callback(event):
        told.append(event)
        enough.set()

    def follow():
        barograph.follow_alerts(callback, url=program, markets=["BTCUSDT"], event_types=["ALERT_RULE"], stop=stop)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert enough.wait(100), "no alert came"
    stop.set()
    assert {e["rule"] for e in told} == {"heard"}
    assert {e["instrument"] for e in told} == {"binance-usdm:BTCUSDT"}
    assert told[0]["new_entries"] and told[0]["severity"] == "HIGH"


def test_an_address_that_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="is no address"):
        barograph.follow_alerts(print, url="localhost:8600")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(text):
    return b"%x\r\n%s\r\n" % (len(text), text)


def alert(n):
    return chunk(b'event: alert\ndata: {"n": %d}\n\n' % n)


@pytest.fixture
def answering():
    """Starts a server that gives each connection the next of these answers and closes it, the last one again and again."""
    listeners = []

    def start(*answers):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            for n in range(1000):
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    asked = b""
                    while b"\r\n\r\n" not in asked:
                        asked += peer.recv(4096)
                    peer.sendall(answers[min(n, len(answers) - 1)])

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def collected(url, count):
    """Follows until so many events have come."""
    told, stop = [], threading.Event()

    def callback(event):
        told.append(event["n"])
        if len(told) == count:
            stop.set()

    thread = threading.Thread(target=barograph.follow_alerts, args=(callback,), kwargs={"url": url, "stop": stop}, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), f"only {told}"
    return told


@pytest.mark.parametrize(
    "cut_off",
    [
        HEAD + alert(1) + b"40\r\nevent: al",
        HEAD + alert(1) + b"40\r\n",
        HEAD + alert(1) + b"4",
        HEAD + alert(1),
        HEAD + alert(1) + b"no length\r\n",
        HEAD + alert(1) + chunk(b'event: alert\ndata: {"n": 7'),
    ],
)
def test_a_server_killed_in_the_middle_of_a_chunk_is_followed_again(answering, cut_off):
    assert collected(answering(cut_off, HEAD + alert(2) + alert(3)), 3) == [1, 2, 3]


def test_an_answer_for_later_is_waited_out(answering):
    busy = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
    assert collected(answering(busy, b"", b"what is this", HEAD + alert(1)), 1) == [1]


@pytest.mark.parametrize("what", [OSError("disk is full"), ConnectionResetError("mine"), json.JSONDecodeError("mine", "", 0), KeyError("x")])
@pytest.mark.parametrize("who", ["callback", "on_connect"])
def test_whatever_a_callback_raises_ends_the_following(answering, what, who):
    url, calls = answering(HEAD + alert(1)), []

    def fails(*event):
        calls.append(event)
        raise what

    with pytest.raises(type(what)) as caught:
        barograph.follow_alerts(**{"callback": lambda event: None, "url": url, who: fails})
    assert caught.value is what
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n", PermissionError, "requires a token"),
        (b"HTTP/1.1 404 No\r\ncontent-length: 7\r\n\r\nnowhere", ValueError, "404: nowhere"),
        (HEAD + chunk(b"event: alert\ndata: <html>\n\n"), ValueError, "is no barograph"),
    ],
)
def test_what_will_not_get_better_is_raised(answering, answer, error, words):
    with pytest.raises(error, match=words):
        barograph.follow_alerts(print, url=answering(answer))


def test_an_address_with_a_wrong_port_is_refused():
    with pytest.raises(ValueError, match="is no address"):
        barograph.follow_alerts(print, url="http://localhost:port")
