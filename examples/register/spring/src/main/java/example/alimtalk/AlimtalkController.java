// SPDX-License-Identifier: MIT
package example.alimtalk;

import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class AlimtalkController {

    private final AlimtalkService alimtalk;

    AlimtalkController(AlimtalkService alimtalk) {
        this.alimtalk = alimtalk;
    }

    @PostMapping("/alimtalk/send")
    ResponseEntity<Void> send(@RequestBody AlimtalkRequest request) throws Exception {
        return (alimtalk.send(request) ? ResponseEntity.accepted() : ResponseEntity.unprocessableEntity()).build();
    }
}
