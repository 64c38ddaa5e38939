"""Stereo sound from the publish page to the watch page: the channels stay apart."""

from __future__ import annotations

import math

import pytest
from playwright.async_api import Page, expect

from ci.support.browser import Browser
from ci.support.server import Server
from ci.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEFT_HZ, RIGHT_HZ = 440, 1250
SEPARATION_DB = 60
QUIET = 1e-4  # power, of full scale: of a tone that is not there

# The microphone hears a tone in each channel, or one tone in one channel.
MICROPHONE = f"""
navigator.mediaDevices.getUserMedia = async () => {{
  const context = new AudioContext({{ sampleRate: 48000 }});
  await context.resume();
  const channels = window.channels ?? 2;
  const output = new MediaStreamAudioDestinationNode(context, {{ channelCount: channels }});
  const merger = new ChannelMergerNode(context, {{ numberOfInputs: channels }});
  [{LEFT_HZ}, {RIGHT_HZ}].slice(0, channels).forEach((frequency, channel) => {{
    const oscillator = new OscillatorNode(context, {{ frequency }});
    oscillator.connect(new GainNode(context, {{ gain: 0.3 }})).connect(merger, 0, channel);
    oscillator.start();
  }});
  merger.connect(output);
  return output.stream;
}};
"""

# The power of both tones in each channel of half a second of the page's sound: [[left, right], [left, right]].
LISTEN = f"""async () => {{
  const [track] = fanwire.client.stream.getAudioTracks();
  const reader = new MediaStreamTrackProcessor({{ track: track.clone() }}).readable.getReader();
  const channels = [[], []];
  let rate = 48000;
  while (channels[0].length < rate / 2) {{
    const {{ value }} = await reader.read();
    rate = value.sampleRate;
    channels.forEach((samples, channel) => {{
      const part = new Float32Array(value.numberOfFrames);
      value.copyTo(part, {{ planeIndex: Math.min(channel, value.numberOfChannels - 1), format: "f32-planar" }});
      samples.push(...part);
    }});
    value.close();
  }}
  await reader.cancel();
  const power = (samples, hertz) => {{
    let [re, im, weight] = [0, 0, 0];
    samples.forEach((sample, n) => {{
      const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / samples.length);
      re += window * sample * Math.cos((2 * Math.PI * hertz * n) / rate);
      im += window * sample * Math.sin((2 * Math.PI * hertz * n) / rate);
      weight += window;
    }});
    return (re * re + im * im) / (weight * weight);
  }};
  return channels.map((samples) => [{LEFT_HZ}, {RIGHT_HZ}].map((hertz) => power(samples, hertz)));
}}"""


async def test_two_channels_stay_apart_and_follow_the_source(server: Server, browser: Browser, room: str) -> None:
    publishing = await browser.context.new_page()
    await publishing.add_init_script(MICROPHONE)
    await publishing.goto(f"{server.url}/publish/{room}")
    await publishing.get_by_role("button", name="Start publishing").click()
    await expect(publishing.locator("#status")).to_have_text("Live", timeout=10_000)
    watching = await browser.open(f"{server.url}/watch/{room}")
    await until(lambda: separation_db(watching), lambda found_db: found_db >= SEPARATION_DB, timeout_s=20)

    await change_microphone(publishing, channels=1)
    await until(lambda: separation_db(watching), lambda found_db: found_db < 1, timeout_s=20)
    await change_microphone(publishing, channels=2)
    await until(lambda: separation_db(watching), lambda found_db: found_db >= SEPARATION_DB, timeout_s=20)


async def change_microphone(publishing: Page, channels: int) -> None:
    """While it is live: to the test card, and back to a microphone of so many channels."""
    await publishing.evaluate("channels => { window.channels = channels; }", channels)
    for source in ("Test card", "Camera"):
        before = await publishing.evaluate("fanwire.pc.getSenders()[0].track.id")
        await publishing.get_by_text(source, exact=True).first.click()
        await publishing.wait_for_function("before => fanwire.pc.getSenders()[0].track.id !== before", arg=before)


async def separation_db(watching: Page) -> float:
    """How much louder the left tone is on the left than on the right, and the right one on the right: the lesser."""
    if not await watching.evaluate("Boolean(fanwire.client.stream && fanwire.client.state === 'connected')"):
        return 0
    (left_left, right_left), (left_right, right_right) = await watching.evaluate(LISTEN)
    if max(left_left, right_right) < QUIET:
        return 0
    ratios = (left_left / max(left_right, 1e-20), right_right / max(right_left, 1e-20))
    return min(10 * math.log10(max(ratio, 1e-20)) for ratio in ratios)
