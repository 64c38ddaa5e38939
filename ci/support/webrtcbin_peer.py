"""A GStreamer webrtcbin that publishes or watches VP8: `python3 ci/support/webrtcbin_peer.py publish|watch URL`.

Runs under the Python that has the bindings of GStreamer, as ci/setup installs them. Prints "connected", and
the number of received packets every second, until it is killed.
"""

from __future__ import annotations

import sys
import urllib.request
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # type: ignore[import-not-found]  # noqa: E402

VP8 = "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000"
PUBLISH = (
    "webrtcbin name=peer bundle-policy=max-bundle videotestsrc is-live=true "
    "! video/x-raw,format=I420,width=320,height=240,framerate=15/1 ! vp8enc deadline=1 keyframe-max-dist=30 "
    f"! rtpvp8pay pt=96 ! {VP8} ! peer."
)
WATCH = "webrtcbin name=peer bundle-policy=max-bundle"


class Peer:
    """One webrtcbin and its session."""

    def __init__(self, role: str, url: str) -> None:
        self.url = url
        self.packets = 0
        self.pipeline = Gst.Pipeline()
        self.pipeline.add(Gst.parse_bin_from_description(PUBLISH if role == "publish" else WATCH, False))
        self.webrtc = self.pipeline.get_by_name("peer")
        if role == "watch":
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.webrtc.emit("add-transceiver", direction, Gst.Caps.from_string(VP8))
            GLib.idle_add(self._offer)
        else:
            self.webrtc.connect("on-negotiation-needed", self._offer)
        self.webrtc.connect("notify::ice-gathering-state", self._gathered)
        self.webrtc.connect("notify::connection-state", self._state)
        self.webrtc.connect("pad-added", self._pad)
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(1000, self._count)

    def _offer(self, *_: object) -> bool:
        self.webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered, None))
        return False

    def _offered(self, promise: Any, _: object) -> None:
        promise.wait()
        reply = promise.get_reply()
        offer = reply["offer"]  # owned by the reply
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def _gathered(self, *_: object) -> None:
        if self.webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._post)

    def _post(self) -> bool:
        offer = self.webrtc.get_property("local-description").sdp.as_text().encode()
        request = urllib.request.Request(self.url, offer, {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request) as response:
            text = response.read().decode()
        _, sdp = GstSdp.SDPMessage.new_from_text(text)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.webrtc.emit("set-remote-description", answer, None)
        return False

    def _state(self, *_: object) -> None:
        if self.webrtc.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            print("connected", flush=True)

    def _pad(self, _: object, pad: Any) -> None:
        if pad.direction is not Gst.PadDirection.SRC:
            return
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("signal-handoffs", True)
        sink.set_property("sync", False)
        sink.connect("handoff", self._take)
        self.webrtc.get_parent().add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def _take(self, *_: object) -> None:
        self.packets += 1

    def _count(self) -> bool:
        print(self.packets, flush=True)
        return True


if __name__ == "__main__":
    Gst.init(None)
    peer = Peer(sys.argv[1], sys.argv[2])
    GLib.MainLoop().run()
