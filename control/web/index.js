/** The start page: a room's name, and what to do there. */

const form = document.querySelector("#form");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const page = event.submitter?.value ?? "publish";
  location.assign(`/${page}/${encodeURIComponent(form.querySelector("#room").value)}`);
});
