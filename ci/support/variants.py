"""Changes the offer of a test page's RTCPeerConnection before it is sent.

The scripts are function bodies of JavaScript: `prepare` may change `connection` just before its offer is made, and
`rewrite` returns the SDP to send in place of `sdp`, the browser's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .browser import Browser
from .peers import Publisher, Viewer

_INSTALL = """({ configuration, prepare, rewrite }) => {
  const AsyncFunction = (async () => {}).constructor;
  const prepared = new AsyncFunction("connection", prepare);
  const rewritten = new Function("sdp", rewrite);
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor() {
      super(configuration);
      window.connection = this;
    }
    get localDescription() {
      const description = super.localDescription;
      return description && { type: description.type, sdp: rewritten(description.sdp) };
    }
    async setLocalDescription(...description) {
      await prepared(this);
      return super.setLocalDescription(...description);
    }
  };
}"""


@dataclass(frozen=True, slots=True)
class Variant:
    """The special settings of a peer: its RTCConfiguration, `prepare`, `rewrite`, and its options as in peer.js."""

    configuration: Mapping[str, object] = field(default_factory=dict)
    prepare: str = ""
    rewrite: str = "return sdp;"
    options: Mapping[str, object] = field(default_factory=dict)

    async def publish(self, browser: Browser, url: str, **options: object) -> Publisher:
        """Publishes to a WHIP URL. The page keeps its RTCPeerConnection as `window.connection`."""
        publisher = Publisher(await browser.open())
        await publisher.page.evaluate(_INSTALL, self._script())
        await publisher.publish(url, **options, **self.options)
        return publisher

    async def watch(self, browser: Browser, url: str) -> Viewer:
        """Watches a WHEP URL."""
        viewer = Viewer(await browser.open())
        await viewer.page.evaluate(_INSTALL, self._script())
        viewer.posted_ms = await viewer.call("watch", url, dict(self.options))
        return viewer

    def _script(self) -> dict[str, object]:
        return {"configuration": dict(self.configuration), "prepare": self.prepare, "rewrite": self.rewrite}
