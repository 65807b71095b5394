// Draws the OpenAPI description with the Swagger UI that is shipped along; nothing is fetched from elsewhere.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("api");
  SwaggerUIBundle({ url: place.dataset.description, domNode: place, validatorUrl: null, deepLinking: false });
});
