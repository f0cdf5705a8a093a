// WebGL 2 in few words: programs by the names of their files, textures, targets to draw into, full-screen passes.

// Whether there is no real GPU, by the name of what draws
function drawsInSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2"), info = gl && gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl ? gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER) : "";
  if (gl) gl.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

class Gpu {
  constructor(canvas) {
    this.software = drawsInSoftware(); // smooth edges take it three times as long
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: !this.software, powerPreference: "high-performance" });
    if (!gl || !gl.getExtension("EXT_color_buffer_float")) throw new Error("this browser has no WebGL 2 with floats");
    this.gl = gl;
    this.smooths = Boolean(gl.getExtension("OES_texture_float_linear"));
    this.programs = new Map();
    this.targets = new Map();
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    canvas.addEventListener("webglcontextlost", event => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => location.reload());
  }

  program(fragment, vertex = "full.vert") {
    const key = `${vertex} ${fragment}`;
    if (!this.programs.has(key)) this.programs.set(key, this.link(vertex, fragment));
    return this.programs.get(key);
  }

  link(...names) {
    const { gl } = this, program = gl.createProgram();
    names.forEach((name, k) => {
      const shader = gl.createShader(k ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
      const source = SHADERS[name].replace(/^#include (.+)$/gm, (_, other) => SHADERS[other]);
      gl.shaderSource(shader, `#version 300 es\n${SHADERS["common.glsl"]}\n${source}`);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      program[name] = shader;
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS))
      throw new Error(names.map(n => `${n}: ${gl.getShaderInfoLog(program[n])}`).join() + gl.getProgramInfoLog(program));
    const uniforms = new Map(), count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let k = 0; k < count; k++) {
      const { name, type } = gl.getActiveUniform(program, k);
      uniforms.set(name.replace("[0]", ""), { type, at: gl.getUniformLocation(program, name) });
    }
    return { program, uniforms };
  }

  use({ program, uniforms }, values) {
    const { gl } = this;
    gl.useProgram(program);
    let slot = 0;
    for (const [name, { type, at }] of uniforms) {
      const value = values[name];
      if (value === undefined) throw new Error(`no value for ${name}`);
      if (type === gl.SAMPLER_2D) {
        gl.activeTexture(gl.TEXTURE0 + slot);
        gl.bindTexture(gl.TEXTURE_2D, value);
        gl.uniform1i(at, slot++);
      } else if (type === gl.FLOAT) gl.uniform1f(at, value);
      else if (type === gl.INT || type === gl.BOOL) gl.uniform1i(at, value);
      else if (type === gl.FLOAT_VEC2) gl.uniform2fv(at, value);
      else if (type === gl.FLOAT_VEC3) gl.uniform3fv(at, value);
      else if (type === gl.FLOAT_VEC4) gl.uniform4fv(at, value);
      else if (type === gl.FLOAT_MAT4) gl.uniformMatrix4fv(at, false, value);
    }
  }

  // One triangle that covers the target or a box [x, y, width, height] of the canvas, or `quads`, the vertex shader's own
  // rectangles; `behind`: only where nothing is drawn yet; `added`: to what is there; `rows`: only the first of these, and so many.
  pass(fragment, values, { target = null, box = null, added = false, rows = null, quads = null, behind = false } = {}) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, target && target.framebuffer);
    gl.viewport(...(box || [0, 0, target.width, target.height]));
    if (behind) { gl.enable(gl.DEPTH_TEST); gl.depthFunc(gl.LEQUAL); gl.depthRange(1, 1); } else gl.disable(gl.DEPTH_TEST);
    if (added) { gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE); } else gl.disable(gl.BLEND);
    if (rows) { gl.enable(gl.SCISSOR_TEST); gl.scissor(0, rows[0], target.width, rows[1]); }
    this.use(this.program(fragment, quads ? quads.vertex : "full.vert"), values);
    gl.bindVertexArray(quads ? quads.array : null);
    if (quads) gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, quads.count); else gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.bindVertexArray(null);
    if (behind) { gl.depthFunc(gl.LESS); gl.depthRange(0, 1); }
    gl.disable(gl.BLEND);
    gl.disable(gl.SCISSOR_TEST);
  }

  // Places (x, y) as a vertex array, one an instance
  places(pairs) {
    const { gl } = this, array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, Float32Array.from(pairs), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(0, 1);
    gl.bindVertexArray(null);
    return array;
  }

  // Mark the end of a frame, so that `finished` can tell when the GPU has drawn it
  mark() {
    const { gl } = this;
    this.fence = { sync: gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0), since: performance.now() };
    gl.flush();
  }

  // How long the marked frame took in milliseconds; 0 while it is not drawn yet, NaN if none is marked
  finished() {
    const { gl, fence } = this;
    if (!fence) return NaN;
    if (gl.getSyncParameter(fence.sync, gl.SYNC_STATUS) !== gl.SIGNALED && !gl.isContextLost()) return 0;
    gl.deleteSync(fence.sync);
    this.fence = null;
    return performance.now() - fence.since;
  }

  // A named target of this size, made anew only if the size changed; `formats` are those of its textures.
  target(name, width, height, formats) {
    const { gl } = this, old = this.targets.get(name);
    if (old && old.width === width && old.height === height) return old;
    if (old) {
      old.textures.forEach(texture => gl.deleteTexture(texture));
      gl.deleteFramebuffer(old.framebuffer);
    }
    const framebuffer = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
    const textures = formats.map(({ format, mips, nearest }, k) => {
      const texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texStorage2D(gl.TEXTURE_2D, mips ? 1 + Math.floor(Math.log2(Math.max(width, height))) : 1, gl[format], width, height);
      this.filter(nearest ? gl.NEAREST : gl.LINEAR, mips);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + k, gl.TEXTURE_2D, texture, 0);
      return texture;
    });
    gl.drawBuffers(textures.map((_, k) => gl.COLOR_ATTACHMENT0 + k));
    const made = { framebuffer, textures, width, height };
    this.targets.set(name, made);
    return made;
  }

  clear(target) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
    target.textures.forEach((_, k) => gl.clearBufferfv(gl.COLOR, k, [0, 0, 0, 0]));
  }

  mipmap(texture) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.generateMipmap(gl.TEXTURE_2D);
  }

  filter(kind, mips = false) {
    const { gl } = this, smaller = mips ? gl.LINEAR_MIPMAP_LINEAR : kind;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, mips && kind === gl.NEAREST ? gl.NEAREST_MIPMAP_NEAREST : smaller);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, kind);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  // A picture as a texture that gives linear light, or the bytes as they are if it is `plain`
  picture(source, plain = false) {
    const { gl } = this, texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, plain ? gl.RGBA8 : gl.SRGB8_ALPHA8, gl.RGBA, gl.UNSIGNED_BYTE, source);
    if (!plain) gl.generateMipmap(gl.TEXTURE_2D);
    this.filter(gl.LINEAR, !plain);
    return texture;
  }

  // Bytes of RGBA as they are
  bytes(values, width, height) {
    const { gl } = this, texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, values);
    this.filter(gl.LINEAR);
    return texture;
  }

  // A map of numbers, one a pixel, that is read pixel by pixel, or between them if it is `smooth` and the GPU can
  map(values, width, height, smooth = false) {
    const { gl } = this, texture = gl.createTexture(), floats = values instanceof Float32Array;
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, floats ? gl.R32F : gl.R8, width, height, 0, gl.RED, floats ? gl.FLOAT : gl.UNSIGNED_BYTE, values);
    this.filter(smooth && this.smooths ? gl.LINEAR : gl.NEAREST);
    return texture;
  }
}
