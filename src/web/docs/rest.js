// Shows the OpenAPI document with Swagger UI. Nothing is sent to anybody but this gateway.
window.SwaggerUIBundle({
  url: '../api/openapi.json',
  domNode: document.getElementById('reference'),
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
})
