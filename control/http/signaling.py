"""WHIP (RFC 9725), and what WHEP has in common with it: two names and two directions of one protocol over rooms."""

from __future__ import annotations

from typing import ClassVar

from aiohttp import hdrs, web

from ..rooms.errors import EtagMismatch, SessionNotFound
from ..rooms.policy import Permit
from . import cors
from .body import read_text
from .contract import ACCESS, ICE_LINKS, ROOMS, Joined, SignalingApi, SignalingSession
from .headers import is_any
from .names import valid_name
from .problems import Problem

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


class Signaling:
    """The common part of the two protocols; the subclasses define the differences."""

    name: ClassVar[str]
    kind: ClassVar[str]
    """The kind of session that the protocol makes."""
    person: ClassVar[str]
    """The query parameter that names the publisher."""

    async def join(
        self, rooms: SignalingApi, room: str, offer: str, person: str | None, permit: Permit | None, client: str
    ) -> Joined:
        """Open a session for `person`, at the address whose key is `client`."""
        raise NotImplementedError

    def links(self, location: str) -> list[str]:
        """Link headers for the extensions of the session at `location`."""
        return []

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve the endpoint, where sessions are made, and the resources of the sessions made."""
        endpoint = router.add_resource(f"/{self.name}/{{room}}")
        endpoint.add_route(hdrs.METH_POST, self._create)
        endpoint.add_route(hdrs.METH_OPTIONS, cors.preflight(["POST", "OPTIONS"], {"Accept-Post": SDP}))
        resource = router.add_resource(f"/{self.name}/{{room}}/{{session}}")
        resource.add_route(hdrs.METH_PATCH, self._patch)
        resource.add_route(hdrs.METH_DELETE, self._delete)
        methods = ["PATCH", "DELETE", "OPTIONS"]
        resource.add_route(hdrs.METH_OPTIONS, cors.preflight(methods, {"Accept-Patch": FRAGMENT}))

    async def _create(self, request: web.Request) -> web.Response:
        permit = request.app[ACCESS].permit(request)
        client = request.app[ACCESS].check_join(request)
        room = valid_name("room name", request.match_info["room"])
        person = request.query.get(self.person)
        if person is not None:
            valid_name(f"{self.person} name", person)
        offer = await read_text(request, SDP, "Accept-Post")
        joined = await self.join(request.app[ROOMS], room, offer, person, permit, client)
        response = web.Response(status=201, body=joined.answer.encode(), content_type=SDP)
        location = f"/{self.name}/{room}/{joined.session.id}"
        response.headers["Location"] = location
        response.headers["Accept-Patch"] = FRAGMENT
        response.etag = joined.session.etag
        for link in (*request.app[ICE_LINKS], *self.links(location)):
            response.headers.add("Link", link)
        return response

    async def _patch(self, request: web.Request) -> web.Response:
        """Trickle ICE (RFC 9725 section 4.3.1) when If-Match names the ICE session, an ICE restart when it is `*`."""
        session = self.session_of(request)
        fragment = await read_text(request, FRAGMENT, "Accept-Patch")
        tags = request.if_match
        if tags is None:
            raise Problem(428, "Send If-Match: the ETag to add candidates, or * to restart ICE.")
        if is_any(request.headers.get(hdrs.IF_MATCH)):
            answer = await session.restart_ice(fragment)
            response = web.Response(body=answer.encode(), content_type=FRAGMENT)
            response.etag = session.etag
            return response
        if not any(tag.value == session.etag and not tag.is_weak for tag in tags):
            raise EtagMismatch
        await session.trickle(fragment)
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        await self.session_of(request).close()
        return web.Response()

    def session_of(self, request: web.Request) -> SignalingSession:
        """The session in the address, if the request may change it. Raises Problem 401, SessionNotFound, Forbidden."""
        permit = request.app[ACCESS].permit(request)
        session = request.app[ROOMS].session(request.match_info["session"])
        if (session.kind, session.room) != (self.kind, request.match_info["room"]):
            raise SessionNotFound
        if permit is not None:
            session.authorize(permit)
        return session


class Whip(Signaling):
    """Publishing. `?identity=` names the publisher."""

    name, kind, person = "whip", "publish", "identity"

    async def join(
        self, rooms: SignalingApi, room: str, offer: str, person: str | None, permit: Permit | None, client: str
    ) -> Joined:
        return await rooms.publish(room, offer, identity=person, permit=permit, client=client)
