/** Errors in words that a person understands: what happened, and what to do. */

import { Lost, NoPath, Refused, Unreachable } from "./client.js";
import { Insecure, NothingChosen } from "./sources.js";

/** { title, advice } for an error of a client. */
export function explainConnection(error) {
  if (error instanceof Unreachable) {
    return {
      title: "The server cannot be reached",
      advice: "It may be restarting, or your network is down. This page keeps trying.",
    };
  }
  if (error instanceof NoPath) {
    return {
      title: "The network lets no video through",
      advice:
        "The server answers, but UDP packets do not get through: a firewall or VPN may be in the way. " +
        "Try another network; this page keeps trying.",
    };
  }
  if (error instanceof Lost) return { title: "The connection was lost", advice: "This page is setting up a new one." };
  if (error instanceof Refused) return refusal(error);
  return { title: "Something went wrong in this page", advice: `${error.message} Reloading the page may help.` };
}

function refusal({ status, kind, title, message }) {
  if (kind === "origin-not-allowed") return { title, advice: message };
  if (status === 401 || status === 403) {
    return { title: "You are not allowed in here", advice: "Ask whoever invited you for a new link." };
  }
  if (status === 422) return { title: "Your browser and the server cannot agree on a format", advice: message };
  if (status === 503) return { title, advice: "This page keeps trying until it is let in." };
  if (status >= 500) return { title: "The server has a problem", advice: `${message} This page keeps trying.` };
  return { title: title || `The server refused (${status})`, advice: message };
}

/** { title, advice } for an error of a source; `kind` is camera, screen or card. */
export function explainSource(error, kind) {
  if (error instanceof Insecure) {
    return {
      title: "This page may not use your camera or screen",
      advice:
        "Browsers allow that only over HTTPS or on the machine itself. " +
        "Open the page with https://, or publish the test card.",
    };
  }
  if (error instanceof NothingChosen) {
    return { title: "Nothing is chosen", advice: "Choose a camera or a microphone." };
  }
  const advice = (kind === "screen" ? SCREEN : CAMERA)[error.name];
  return advice ?? { title: "The source could not be opened", advice: error.message };
}

const CAMERA = {
  NotAllowedError: {
    title: "The camera or microphone is blocked",
    advice:
      "Allow it with the camera symbol in the address bar, and check that your system lets the browser use it. " +
      "Then try again.",
  },
  NotFoundError: {
    title: "No camera was found",
    advice: "Connect one and try again, or choose “No camera” to publish sound alone.",
  },
  NotReadableError: {
    title: "The camera or microphone is in use",
    advice: "Another program seems to have it. Close that program and try again.",
  },
  OverconstrainedError: {
    title: "That device is gone",
    advice: "Choose another camera or microphone.",
  },
};

const SCREEN = {
  NotAllowedError: {
    title: "The screen is not shared",
    advice:
      "Nothing was chosen, or your system does not let the browser record the screen. " +
      "Try again and choose what to share.",
  },
  NotFoundError: { title: "There is no screen to share", advice: "This device offers none. Publish a camera instead." },
  NotReadableError: { title: "The screen cannot be read", advice: "Your system does not let the browser record it." },
};
